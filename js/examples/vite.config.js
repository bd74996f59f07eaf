import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue"; // for vue/ alone
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [vue()],
  // kiiweb is a link to js/ here, out of the examples' folder. Installed from npm it needs no such line.
  server: { fs: { allow: [fileURLToPath(new URL("..", import.meta.url))] } },
});
