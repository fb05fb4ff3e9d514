package io.github.kfac4j.benchmarks.jmh;

import org.openjdk.jmh.annotations.Param;

/** Factor accumulation: convolutions and dense layers. */
public class FactorBenchmark extends CaseBenchmark {
  /** The verb and the name of a case. */
  @Param({
    "conv-factor 28x28 c64 n64 k3",
    "conv-factor 28x28 c64 n64 k5",
    "conv-factor 14x14 c256 n32 k3",
    "conv-factor 7x7 c512 n32 k3",
    "conv-factor 28x28 c128 n32 k3 stride 2",
    "conv-factor 28x28 c256 n32 k1",
    "dense-factor 256 x 3136",
    "dense-factor 1024 x 1024"
  })
  public String shape;

  @Override
  String caseId() {
    return shape;
  }
}
