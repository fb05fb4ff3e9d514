package io.github.kfac4j.backend;

/**
 * Where a backend keeps its stacks, so that what cannot fit is refused before it is begun.
 *
 * @param memory what it is, for messages, for example {@code device memory}
 * @param elementBytes bytes of an element
 * @param basisBytes bytes of an element of a {@linkplain Backend#allocateBasis basis}
 * @param largest the most elements that one stack can have
 * @param available bytes for all new stacks together, as far as is known; an upper bound
 * @param remedy what makes more of it available
 */
public record Storage(
    String memory, int elementBytes, int basisBytes, long largest, long available, String remedy) {
  /** Memory of which nothing is known. */
  public static final Storage UNKNOWN =
      new Storage(
          "memory",
          Float.BYTES,
          Float.BYTES,
          Integer.MAX_VALUE,
          Long.MAX_VALUE,
          "a machine with more memory");
}
