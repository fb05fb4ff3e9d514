package io.github.kfac4j.benchmarks.jmh;

import org.openjdk.jmh.annotations.Param;

/** Preconditioning: one layer, and a network through its batch. */
public class PreconditionBenchmark extends CaseBenchmark {
  /** The verb and the name of a case. */
  @Param({
    "precondition 64 x 576",
    "precondition 256 x 1152",
    "precondition 512 x 4608",
    "precondition-network Simple CNN, batch 256"
  })
  public String shape;

  @Override
  String caseId() {
    return shape;
  }
}
