package io.github.kfac4j.experiments.train;

import io.github.kfac4j.experiments.data.BatchReader;
import io.github.kfac4j.experiments.data.Dataset;
import io.github.kfac4j.experiments.data.Images;
import io.github.kfac4j.experiments.network.Network;
import java.util.stream.IntStream;

/** What a network does on a set of images, of which every process of a team takes its part. */
final class Evaluator {
  private static final int BATCH = 500;

  private final Network network;
  private final BatchReader reader;
  private final int count;
  private final Team team;

  /** Of images of a data set. */
  Evaluator(Network network, Dataset data, Images images, Team team) {
    this.network = network;
    this.team = team;
    count = images.count();
    reader =
        network
            .task()
            .reader(BatchReader.evaluation(data, images, Math.min(BATCH, Math.max(1, count))));
  }

  /** The sums of this process's part. */
  Network.Result evaluate() {
    Network.Result sum = new Network.Result(0, 0, 0, 0, 0);
    int stride = BATCH * team.size();
    for (int from = BATCH * team.rank(); from < count; from += stride) {
      int to = Math.min(from + BATCH, count);
      reader.read(IntStream.range(from, to).toArray(), 0);
      sum = sum.plus(network.evaluate(reader));
    }
    return sum;
  }
}
