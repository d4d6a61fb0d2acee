import type { Request, Response } from 'express';

/** The route of requests that no route answers: their addresses are inventions. */
export const NO_ROUTE = 'none';
/** As nginx counts it: the client has gone before its answer. */
const CLIENT_GONE = 499;

/** The template of the route that answers, such as `/tickets/:ticket_id`, or `NO_ROUTE`. */
export function routeOf({ route, baseUrl }: Request): string {
  const path = (route as { path: string } | undefined)?.path;
  return path === undefined ? NO_ROUTE : `${baseUrl}${path}`;
}

/** The status of a request that is over; 499 where its client has gone before the answer. */
export const statusOf = (response: Response): number =>
  response.writableFinished ? response.statusCode : CLIENT_GONE;

/** Whether the path is one that monitoring asks for every few seconds, which would bury what people do. */
export const isProbe = (path: string): boolean => /^\/(health|metrics)\b/.test(path);
