package io.github.kfac4j.backend;

import io.github.kfac4j.testkit.Literal;

/**
 * What every backend must do. A backend's module extends this class; errors are measured against
 * {@link Literal} definitions in fp64, and against what fp32 arithmetic can reach at all where a
 * backend computes in fp32. The tests stand in the superclasses, one for each kind of verb.
 */
public abstract class BackendContract extends PreconditioningContract {}
