import type { HttpRoute } from "./http-route.ts";

/** A route for a request, with what its pattern names. */
export interface FoundRoute {
  readonly route: HttpRoute;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Why there is none. */
export type RouteFault = "no-such-path" | "no-such-method" | "malformed-path";

/** A table of routes. */
export class Router {
  readonly #routes: readonly HttpRoute[];

  constructor(routes: readonly HttpRoute[]) {
    this.#routes = routes;
  }

  /** @param path as it stands in the request line, without the query */
  find(method: string, path: string): FoundRoute | RouteFault {
    const parts = partsOf(path);
    if (parts === undefined) return "malformed-path";
    let fault: RouteFault = "no-such-path";
    for (const route of this.#routes) {
      const parameters = match(route.path, parts);
      if (parameters === undefined) continue;
      if (route.method === method) return { route, parameters };
      fault = "no-such-method";
    }
    return fault;
  }
}

function partsOf(path: string): readonly string[] | undefined {
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function match(pattern: string, parts: readonly string[]): Record<string, string> | undefined {
  const names = pattern.split("/").slice(1);
  const parameters: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const part = parts[index];
    if (part === undefined || part === "") return undefined;
    if (name.startsWith("*")) {
      parameters[name.slice(1)] = parts.slice(index).join("/");
      return parameters;
    }
    if (name.startsWith(":")) parameters[name.slice(1)] = part;
    else if (name !== part) return undefined;
  }
  return parts.length === names.length ? parameters : undefined;
}
