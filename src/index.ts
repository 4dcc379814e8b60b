/**
 * landfall as a library. Start with {@link Agent}.
 *
 * @packageDocumentation
 */
export { Agent } from "./agent/agent.ts";
