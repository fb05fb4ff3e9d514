package io.github.kfac4j.distributed.sharing;

import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.exchange.Frames;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Makes sure at the start that all ranks run the same job. */
public final class Handshake {
  private Handshake() {}

  /**
   * Compares facts between the ranks; called by all.
   *
   * @param facts by what they are, for example the version or the layers; in the same order on all
   * @throws IllegalStateException on all ranks, naming the first fact that differs, the ranks and
   *     both values
   */
  public static void requireSame(Collectives collectives, Map<String, String> facts) {
    byte[] mine =
        Frames.bytes(
            out -> {
              out.writeInt(facts.size());
              for (Map.Entry<String, String> fact : facts.entrySet()) {
                writeText(out, fact.getKey());
                writeText(out, fact.getValue());
              }
            });
    List<byte[]> all = Frames.gather(collectives, mine);
    Map<String, String> first = facts(all.get(0));
    for (int rank = 1; rank < all.size(); rank++) {
      Map<String, String> other = facts(all.get(rank));
      Map<String, String> names = new LinkedHashMap<>(first);
      names.putAll(other);
      for (String name : names.keySet()) {
        if (!Objects.equals(first.get(name), other.get(name))) {
          throw new IllegalStateException(
              "%s differs between ranks: rank 0 has %s, rank %d has %s"
                  .formatted(name, first.get(name), rank, other.get(name)));
        }
      }
    }
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static Map<String, String> facts(byte[] message) {
    return Frames.read(
        message,
        in -> {
          Map<String, String> facts = new LinkedHashMap<>();
          for (int i = in.readInt(); i > 0; i--) {
            String name = readText(in);
            facts.put(name, readText(in));
          }
          return facts;
        });
  }

  private static String readText(DataInputStream in) throws IOException {
    return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
  }
}
