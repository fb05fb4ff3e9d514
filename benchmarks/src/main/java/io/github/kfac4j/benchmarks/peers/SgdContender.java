package io.github.kfac4j.benchmarks.peers;

import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.cases.NetworkCase;
import io.github.kfac4j.benchmarks.own.TrainingWork;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;

/** Training in DJL without K-FAC. */
final class SgdContender implements Contender {
  private final TorchContender torch;

  SgdContender(int threads) {
    torch = new TorchContender(threads, false); // it sets the threads of the engine
  }

  @Override
  public String name() {
    return "sgd";
  }

  @Override
  public String version() {
    return torch.version();
  }

  @Override
  public Work prepare(Case c, long seed) {
    return c.verb().equals(Case.TRAINING) ? new TrainingWork(null, (NetworkCase) c, seed) : null;
  }

  @Override
  public void close() {
    torch.close();
  }
}
