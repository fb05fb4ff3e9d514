package io.github.kfac4j.distributed.collectives;

/** How numbers travel; sums are in fp32 in either case. */
public enum Precision {
  /** As they are. */
  FP32,
  /**
   * Half the bytes: each block is divided by a power of two of its own, so that its largest number
   * is near the largest of fp16, and rounded. Each rank's contribution is rounded once, sums are
   * not.
   */
  FP16
}
