package io.github.kfac4j.backend;

/**
 * Marks exceptions of backends that say that memory is short, whatever else they are, so that
 * whoever knows which layers it was for can say so too.
 */
public interface MemoryShortage {}
