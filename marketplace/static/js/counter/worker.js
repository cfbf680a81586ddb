// The service worker of the counter and of visits: they start from this device, with or without a network. The
// server puts NAME, VERSION (a digest of all that is kept) and FILES before these lines; one version is kept, whole.
// Pages under PAGES are people's own: they are asked for first, and kept as they were last seen until the sign-in is
// gone.
/* global NAME, VERSION, SHELL, PAGES, FILES, LATER */
"use strict";

const CACHE = `${NAME}-${VERSION}`;
const SEEN = `${NAME}.pages`;
const PATIENCE = 5_000;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(FILES.map((address) => new Request(address, { cache: "reload", credentials: "omit" })));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith(`${NAME}-`) && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
      // The reader for cameras is large: fetched when the app already works, for the day without a network.
      const cache = await caches.open(CACHE);
      await Promise.all(LATER.map((address) => cache.add(address).catch(() => {})));
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGES && address.pathname.startsWith(PAGES)) event.respondWith(seen(request, address.pathname));
  else if (request.mode === "navigate" && address.pathname === SHELL) event.respondWith(kept(SHELL, request));
  else if (FILES.includes(address.pathname) || LATER.includes(address.pathname)) event.respondWith(kept(address.pathname, request));
});

async function kept(address, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(address, { ignoreVary: true })) ?? fetch(request);
}

async function seen(request, path) {
  const pages = await caches.open(SEEN);
  try {
    const answer = await Promise.race([fetch(request), new Promise((_, refuse) => setTimeout(refuse, PATIENCE, new TypeError("slow")))]);
    if (answer.type === "opaqueredirect") await caches.delete(SEEN);
    else if (answer.ok) await pages.put(path, answer.clone());
    return answer;
  } catch (error) {
    const last = await pages.match(path, { ignoreVary: true });
    if (last) return last;
    throw error;
  }
}
