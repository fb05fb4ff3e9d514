package io.github.kfac4j.benchmarks.jmh;

import org.openjdk.jmh.annotations.Param;

/** Patches written out. */
public class PatchBenchmark extends CaseBenchmark {
  /** The verb and the name of a case. */
  @Param({
    "patches 28x28 c64 n16 k3",
    "patches 28x28 c1 n256 k5",
    "patches 224x224 c3 n8 k7 stride 2"
  })
  public String shape;

  @Override
  String caseId() {
    return shape;
  }
}
