/** The package has no types of its own; this is what we use of it. */
declare module 'pino-roll' {
  import type { DestinationStream } from 'pino';

  interface RollingFiles extends DestinationStream {
    on(event: 'error', listener: (error: Error) => void): this;
  }

  function open(options: {
    readonly file: string;
    readonly frequency: 'daily' | 'hourly';
    readonly dateFormat: string;
    readonly size: string;
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean };
    readonly mkdir: boolean;
    readonly sync: boolean;
    readonly maxLength: number;
  }): Promise<RollingFiles>;
  export = open;
}
