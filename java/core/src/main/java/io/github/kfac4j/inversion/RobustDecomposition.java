package io.github.kfac4j.inversion;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.reference.JavaBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** Eigendecompositions; a matrix that the backend fails at is decomposed in fp64, on a copy. */
public final class RobustDecomposition {
  /**
   * How the matrices of one stack ended.
   *
   * @param words what failed and what was done about it, null where nothing did
   */
  public record DecompositionOutcome(Status[] statuses, String[] words) {
    /** Whether all matrices have new eigenvectors. */
    public boolean ok() {
      return Arrays.stream(statuses).allMatch(Status::ok);
    }

    /** What is to be said of a factor, empty if nothing: of a failure if there is one. */
    public String words(String factor) {
      return Arrays.stream(words)
          .filter(Objects::nonNull)
          .min((a, b) -> Boolean.compare(a.endsWith(FALLBACK), b.endsWith(FALLBACK)))
          .map(said -> factor + " " + said)
          .orElse("");
    }
  }

  private static final String FALLBACK = ", decomposed in fp64";

  private RobustDecomposition() {}

  /** A request whose results are matrices of its own, to be closed by {@link #close}. */
  public static DecomposeRequest request(Backend backend, MatrixStack source, double scale) {
    int n = source.rows();
    return new DecomposeRequest(
        source,
        scale,
        backend.allocateBasis(source.count(), n, n),
        backend.allocateBasis(source.count(), 1, n));
  }

  /** Frees the results of a request. */
  public static void close(DecomposeRequest request) {
    request.vectors().close();
    request.values().close();
  }

  /** An outcome for each request. */
  public static List<DecompositionOutcome> decompose(
      Backend backend, List<DecomposeRequest> requests) {
    List<Status[]> first = backend.decompose(requests);
    List<DecompositionOutcome> outcomes = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      Status[] statuses = first.get(i).clone();
      String[] words = new String[statuses.length];
      for (int k = 0; k < statuses.length; k++) {
        if (!statuses[k].ok()) {
          words[k] = statuses[k].toString();
          statuses[k] = inDouble(requests.get(i), k);
          words[k] += statuses[k].ok() ? FALLBACK : "";
        }
      }
      outcomes.add(new DecompositionOutcome(statuses, words));
    }
    return outcomes;
  }

  private static Status inDouble(DecomposeRequest request, int k) {
    int n = request.source().rows();
    try (JavaBackend java = new JavaBackend();
        MatrixStack source = java.allocate(1, n, n);
        MatrixStack vectors = java.allocate(1, n, n);
        MatrixStack values = java.allocate(1, 1, n)) {
      source.set(Stacks.get(request.source(), k));
      Status status =
          java.decompose(List.of(new DecomposeRequest(source, request.scale(), vectors, values)))
              .get(0)[0];
      if (status.ok()) {
        double[] old = request.values().toArray();
        Stacks.put(request.values(), k, values.toArray());
        if (!Arrays.stream(request.values().toArray()).allMatch(Double::isFinite)) {
          request.values().set(old); // beyond the range in which the backend stores
          return Status.NOT_FINITE;
        }
        Stacks.put(request.vectors(), k, vectors.toArray());
      }
      return status;
    }
  }
}
