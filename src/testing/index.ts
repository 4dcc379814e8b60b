/** Doubles for the tests of programs that use landfall. */
export { FakeClock } from "./fake-clock.ts";
export {
  type FakeDpsAnswer,
  type FakeDpsBehaviour,
  type FakeDpsCall,
  type FakeDpsConnect,
  FakeDpsTransport,
} from "./fake-dps-transport.ts";
export { type FakeHubBehaviour, FakeHubConnection, type FakeHubOperation } from "./fake-hub-connection.ts";
export { FakeHubTransport } from "./fake-hub-transport.ts";
export { FaultyLink, type FaultyLinkOptions, type LinkFaults } from "./faulty-link.ts";
export { MemoryPort } from "./memory-port.ts";
