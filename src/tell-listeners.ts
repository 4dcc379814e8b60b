/**
 * Runs `emit`, which calls the listeners of an event. A listener that throws is a fault of the program, as with every
 * emitter, and is reported as uncaught; but it must not break the work of whoever only wanted to tell something.
 */
export function tellListeners(emit: () => void): void {
  try {
    emit();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
