// What this device keeps: the records of the counter and a few facts (token, prices, language), in IndexedDB.
// A write has reached the disk when its promise is fulfilled. PINs are kept sealed under a key that no script,
// ours included, can read out of the browser.

const NAME = "yiquan-counter";
const VERSION = 1;

export async function openStore(name = NAME) {
  const database = await new Promise((done, refuse) => {
    const asked = indexedDB.open(name, VERSION);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("records", { keyPath: "key" });
      asked.result.createObjectStore("facts");
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => refuse(asked.error);
    asked.onblocked = () => refuse(new Error("the store is open elsewhere"));
  });
  database.onversionchange = () => database.close();
  const store = new Store(database);
  navigator.storage?.persist?.().catch(() => {}); // so that a full disk does not take what is unsent
  return store;
}

class Store {
  constructor(database) {
    this.database = database;
  }

  write(names, change) {
    return new Promise((done, refuse) => {
      const transaction = this.database.transaction(names, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => done();
      transaction.onerror = transaction.onabort = () => refuse(transaction.error);
      change(transaction);
    });
  }

  read(name, ask) {
    return new Promise((done, refuse) => {
      const asked = ask(this.database.transaction(name).objectStore(name));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => refuse(asked.error);
    });
  }

  records() {
    return this.read("records", (records) => records.getAll());
  }

  /** `facts` are written with the records, or neither. */
  async keepRecords(changed, facts = {}) {
    if (!changed?.length) return;
    await this.write(["records", "facts"], (transaction) => {
      for (const record of changed) transaction.objectStore("records").put(record);
      for (const [name, value] of Object.entries(facts)) transaction.objectStore("facts").put(value, name);
    });
  }

  async forget(keys) {
    if (!keys.length) return;
    await this.write(["records"], (transaction) => {
      for (const key of keys) transaction.objectStore("records").delete(key);
    });
  }

  fact(name) {
    return this.read("facts", (facts) => facts.get(name));
  }

  async keepFact(name, value) {
    await this.write(["facts"], (transaction) => {
      const facts = transaction.objectStore("facts");
      if (value === undefined) facts.delete(name);
      else facts.put(value, name);
    });
  }

  async sealKey() {
    let key = await this.fact("sealKey");
    if (!key) {
      key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
      await this.keepFact("sealKey", key);
    }
    return key;
  }

  async seal(text) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await this.sealKey(), new TextEncoder().encode(text));
    return { iv, data };
  }

  async unseal({ iv, data }) {
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await this.sealKey(), data);
    return new TextDecoder().decode(plain);
  }
}
