package io.github.kfac4j.experiments.data;

import java.nio.CharBuffer;
import java.nio.FloatBuffer;

/** Tokens of sequences, and of each token the one that follows, which is to be predicted. */
final class SequenceReader extends BatchReader {
  private final Sequences sequences;
  private final CharBuffer tokens;

  SequenceReader(Sequences sequences, int batchSize) {
    super(batchSize, sequences.length(), sequences.length());
    this.sequences = sequences;
    this.tokens = CharBuffer.allocate(sequences.length() + 1);
  }

  @Override
  void fill(int[] indices, int start, int end, long step, FloatBuffer inputs, FloatBuffer labels) {
    for (int i = start; i < end; i++) {
      sequences.read(indices[i], tokens.clear());
      for (int t = 0; t < sequences.length(); t++) {
        inputs.put(tokens.get(t));
        labels.put(tokens.get(t + 1));
      }
    }
  }
}
