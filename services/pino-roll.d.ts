/** The package has no types of its own; this is what we use of it. */
declare module 'pino-roll' {
  import type { DestinationStream } from 'pino';

  function open(options: {
    readonly file: string;
    readonly frequency: 'daily' | 'hourly';
    readonly dateFormat: string;
    readonly size: string;
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean };
    readonly mkdir: boolean;
    readonly sync: boolean;
  }): Promise<DestinationStream>;
  export = open;
}
