// Somebody at Element: its SDK with its own cryptography, told by lines of JSON what to do. It knows nothing of the bot.
//
// A line in is {"act": ..., ...}; a line out is {"done": ...} or {"failed": "why"}, in the same order.

import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

// What the SDK uses, and Node lacks: of version 18 the one, and below 22 the other.
globalThis.crypto ??= webcrypto;
Promise.withResolvers ??= function () {
    const made = {};
    made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
    return made;
};

const { createClient, ClientEvent, RoomEvent } = await import("matrix-js-sdk");
const { DecryptionFailureCode, EventShieldColour, EventShieldReason, OnlySignedDevicesIsolationMode } = await import(
    "matrix-js-sdk/lib/crypto-api/index.js"
);
const { logger } = await import("matrix-js-sdk/lib/logger.js");

// Lines out are answers and nothing else.
logger.setLevel?.("silent");
for (const name of ["trace", "debug", "log", "info", "warn"]) console[name] = () => undefined;

const named = (kinds, value) => Object.keys(kinds).find((name) => kinds[name] === value) ?? null;

let client;
let storageKey;

async function until(look, emitter, event, seconds = 30) {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
        const found = look();
        if (found) return found;
        if (Date.now() > deadline) throw new Error("what was waited for did not come");
        await new Promise((resolve) => {
            const timer = setTimeout(resolve, 200);
            emitter.once(event, () => {
                clearTimeout(timer);
                resolve();
            });
        });
    }
}

const acts = {
    async start({ homeserver, user, device, token, strict }) {
        client = createClient({
            baseUrl: homeserver,
            userId: user,
            deviceId: device,
            accessToken: token,
            logger,
            cryptoCallbacks: {
                getSecretStorageKey: async ({ keys }) => [Object.keys(keys)[0], storageKey],
                cacheSecretStorageKey: (id, info, key) => {
                    storageKey = key;
                },
            },
        });
        await client.initRustCrypto({ useIndexedDB: false });
        if (strict) client.getCrypto().setDeviceIsolationMode(new OnlySignedDevicesIsolationMode());
        await client.startClient({ initialSyncLimit: 50 });
        await until(() => client.isInitialSyncComplete(), client, ClientEvent.Sync);
        // Its keys are uploaded in the background: until then, nobody can write to it.
        while (!(await client.downloadKeysForUsers([user])).device_keys?.[user]?.[device]) {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    },

    // As Element does when somebody signs in for the first time and sets up recovery.
    async setUpRecovery({ password, passphrase }) {
        const crypto = client.getCrypto();
        const made = await crypto.createRecoveryKeyFromPassphrase(passphrase ?? undefined);
        storageKey = made.privateKey;
        await crypto.bootstrapCrossSigning({
            authUploadDeviceSigningKeys: (upload) =>
                upload({
                    type: "m.login.password",
                    identifier: { type: "m.id.user", user: client.getUserId() },
                    password,
                }),
        });
        await crypto.bootstrapSecretStorage({ createSecretStorageKey: async () => made });
        if (!(await crypto.isSecretStorageReady())) throw new Error("the SDK did not set up secret storage");
        return made.encodedPrivateKey;
    },

    // By the SDK's own judgement, once it knows the device.
    async trusts({ user, device }) {
        const deadline = Date.now() + 30_000;
        for (;;) {
            const status = await client.getCrypto().getDeviceVerificationStatus(user, device);
            if (status !== null) return status.signedByOwner;
            if (Date.now() > deadline) throw new Error("the device did not become known");
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    },

    async say({ room, body }) {
        await until(() => client.getRoom(room)?.getMyMembership() === "join", client, ClientEvent.Room);
        const sent = await client.sendTextMessage(room, body);
        return sent.event_id;
    },

    async read({ room, event, patience }) {
        const shown = await until(() => client.getRoom(room)?.findEventById(event), client, RoomEvent.Timeline);
        await until(() => !shown.isBeingDecrypted(), client, RoomEvent.Timeline);
        // A key may come after what it opens, and who sent it may be known later still.
        await until(() => !shown.isDecryptionFailure(), client, RoomEvent.Timeline, patience).catch(() => undefined);
        const about = await client.getCrypto().getEncryptionInfoForEvent(shown);
        return {
            body: shown.isDecryptionFailure() ? null : shown.getContent().body,
            failure: shown.decryptionFailureReason ? named(DecryptionFailureCode, shown.decryptionFailureReason) : null,
            shield: about ? named(EventShieldColour, about.shieldColour) : null,
            reason: about?.shieldReason != null ? named(EventShieldReason, about.shieldReason) : null,
        };
    },

    async stop() {
        client.stopClient();
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const wish = JSON.parse(line);
    let answer;
    try {
        answer = { done: (await acts[wish.act](wish)) ?? null };
    } catch (error) {
        answer = { failed: `${wish.act}: ${error?.stack ?? error}` };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
