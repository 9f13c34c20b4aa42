/** Options of any destination a job may name, told apart by `type`. A download is kept by the server until it expires. */
export interface DestinationOptions {
  readonly type: 'download';
}
