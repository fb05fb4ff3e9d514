package io.github.kfac4j.benchmarks.jmh;

import org.openjdk.jmh.annotations.Param;

/** Damped inversion: one matrix, the 108 factors of ResNet-50, 10,000 small ones. */
public class InverseBenchmark extends CaseBenchmark {
  /** The verb and the name of a case. */
  @Param({
    "inverse n=64",
    "inverse n=256",
    "inverse n=576",
    "inverse n=1152",
    "inverse n=2304",
    "inverse 1000 x 32",
    "inverse 10000 x 64",
    "inverse ResNet-50"
  })
  public String shape;

  @Override
  String caseId() {
    return shape;
  }
}
