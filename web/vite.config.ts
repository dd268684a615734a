import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
  server: { fs: { allow: [".."] } }, // tests read the documents
  build: {
    outDir: "../internal/gui/dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the policy of the page forbids data: for all but what it names
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/test.ts"] },
});
