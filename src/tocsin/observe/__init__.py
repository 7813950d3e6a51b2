"""Observables: their normal forms, their defanged forms, and lists of those that are known to be good."""
