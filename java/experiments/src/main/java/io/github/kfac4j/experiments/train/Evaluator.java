package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.Examples;
import io.github.kfac4j.experiments.data.Sequences;
import io.github.kfac4j.experiments.network.Network;
import java.util.stream.IntStream;

/** What a network does on a set of examples, of which every process of a team takes its part. */
final class Evaluator {
  private static final int MOST = 500;

  /** Logits of a batch of sequences at most, unless one has more: the memory of a pass. */
  private static final int LOGITS = 1 << 23;

  private final Network network;
  private final BatchReader reader;
  private final int count;
  private final int batch;
  private final Team team;

  /** Of examples of a data set. */
  Evaluator(Network network, Dataset data, Examples examples, Team team) {
    this.network = network;
    this.team = team;
    count = examples.count();
    batch =
        examples instanceof Sequences text
            ? Math.max(1, Math.min(MOST, LOGITS / text.length() / text.classes()))
            : MOST;
    reader =
        network
            .task()
            .reader(BatchReader.evaluation(data, examples, Math.min(batch, Math.max(1, count))));
  }

  /** The sums of this process's part. */
  Network.Result evaluate() {
    Network.Result sum = new Network.Result(0, 0, 0, 0, 0);
    int stride = batch * team.size();
    for (int from = batch * team.rank(); from < count; from += stride) {
      int to = Math.min(from + batch, count);
      reader.read(IntStream.range(from, to).toArray(), 0);
      sum = sum.plus(network.evaluate(reader));
    }
    return sum;
  }
}
