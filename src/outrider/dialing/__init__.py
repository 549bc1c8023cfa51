"""Making the attempts: pacing, retries, the engine that decides, and the service that claims and records.

The decisions are pure (`retry`, `pacing`, `attempt`, `engine`); `runtime.driver` carries them out.
"""
