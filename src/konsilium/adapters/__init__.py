"""The outside world: plain values in and out, each thing with a Null twin under the same contract test."""
