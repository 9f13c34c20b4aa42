export { type Config, defineConfig } from './job/config.ts';
