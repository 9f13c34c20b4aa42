// biome-ignore lint/performance/noBarrelFile: what needs Node has an entry of its own, so that browsers can load the other
export { type DownloadOptions, download } from './download.ts';
