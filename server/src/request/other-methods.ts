import type { FastifyInstance } from 'fastify';
import { Fault } from '../base/errors.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Methods by the path they were declared with, of all routes that come after. */
export function collectRoutes(app: FastifyInstance): ReadonlyMap<string, ReadonlySet<string>> {
  const routes = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = routes.get(url) ?? new Set();
    for (const each of [method].flat()) known.add(each);
    routes.set(url, known);
  });
  return routes;
}

interface Known {
  readonly pattern: RegExp;
  readonly allowed: string;
}

/**
 * Answers another method of a known path with what is allowed there. Looked for where there is no route:
 * five routes more for each path would be a tenth of a server's start.
 */
export function refuseOtherMethods(app: FastifyInstance, routes: ReadonlyMap<string, ReadonlySet<string>>): void {
  const known = knownPaths(routes);
  // Before a body is read: what is wrong with it does not matter.
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404 || !METHODS.includes(request.method)) return done();
    const path = pathOf(request.url);
    const found = known.find(({ pattern }) => pattern.test(path));
    if (found === undefined) return done();
    reply.header('allow', found.allowed);
    done(new Fault('method.refused', `${request.method} is not allowed here; allowed are ${found.allowed}.`));
  });
}

/** Those that name most come first: a path is theirs before it is a parameter's. */
function knownPaths(routes: ReadonlyMap<string, ReadonlySet<string>>): Known[] {
  const urls = [...routes.keys()].filter((url) => !url.includes('*'));
  return urls
    .toSorted((left, right) => parametersOf(left) - parametersOf(right))
    .map((url) => {
      // A path that ends in a slash is one more form of the route without; the framework may tell of a method by either.
      const without = routes.get(url.replace(/(?<=.)\/$/, ''));
      const allowed = new Set([...(routes.get(url) ?? []), ...(without ?? [])]);
      return { pattern: patternOf(url), allowed: [...allowed].sort().join(', ') };
    });
}

function parametersOf(url: string): number {
  return url.split('/:').length;
}

/** A parameter takes anything but a slash. */
function patternOf(url: string): RegExp {
  const texts = url.split(/:\w+/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${texts.join('[^/]*')}$`);
}

/** As the router reads it. */
function pathOf(url: string): string {
  const [path = ''] = url.split(/[?#]/);
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
