package io.github.kfac4j.benchmarks.jmh;

import org.openjdk.jmh.annotations.Param;

/** A whole update of the Simple CNN: factors, inverses, preconditioning. */
public class StepBenchmark extends CaseBenchmark {
  /** The verb and the name of a case. */
  @Param({"step Simple CNN, batch 256", "step Simple CNN, batch 1024"})
  public String shape;

  @Override
  String caseId() {
    return shape;
  }
}
