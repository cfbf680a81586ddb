// The counter's service worker: the app starts from this device, with or without a network. The server puts VERSION
// (a digest of all that is kept) and FILES before these lines; one version is kept, whole.
/* global VERSION, SHELL, FILES, LATER */
"use strict";

const CACHE = `yiquan-counter-${VERSION}`;

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
        if (name.startsWith("yiquan-counter-") && name !== CACHE) await caches.delete(name);
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
  if (request.mode === "navigate" && address.pathname === SHELL) event.respondWith(kept(SHELL, request));
  else if (FILES.includes(address.pathname) || LATER.includes(address.pathname)) event.respondWith(kept(address.pathname, request));
});

async function kept(address, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(address, { ignoreVary: true })) ?? fetch(request);
}
