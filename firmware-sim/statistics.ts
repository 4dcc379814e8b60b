/** What the firmware counts from its start on: groups of counters, by name. The statistics group shows them. */
export function newStatistics() {
  return {
    link: { received: 0, sent: 0, dropped: 0, faults: 0 },
    telemetry: { sent: 0, repeated: 0, answered: 0, refused: 0 },
    commands: { executed: 0, repeated: 0 },
    identity: { tokens: 0, signatures: 0, refused: 0 },
  };
}

/** See {@link newStatistics}. */
export type Statistics = ReturnType<typeof newStatistics>;
