package io.github.kfac4j.reference;

import io.github.kfac4j.backend.AccumulateRequest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.BasisAccumulateRequest;
import io.github.kfac4j.backend.BasisPreconditionRequest;
import io.github.kfac4j.backend.DecomposeRequest;
import io.github.kfac4j.backend.InvertRequest;
import io.github.kfac4j.backend.MatrixStack;
import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.backend.PreconditionRequest;
import io.github.kfac4j.backend.RenewRequest;
import io.github.kfac4j.backend.Renewal;
import io.github.kfac4j.backend.Status;
import io.github.kfac4j.backend.Storage;
import io.github.kfac4j.samples.JointSamples;
import io.github.kfac4j.samples.PatchSamples;
import io.github.kfac4j.samples.Samples;
import io.github.kfac4j.tensor.HostTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * A backend whose missing verbs, those that throw {@link UnsupportedOperationException}, are done
 * by the fp64 backend on the host, on copies. The log says so once for each verb.
 */
public final class FallbackBackend implements Backend {
  private final Backend fast;
  private final Backend java = new JavaBackend();
  private final Consumer<String> log;
  private final Set<String> said = new HashSet<>();

  public FallbackBackend(Backend fast, Consumer<String> log) {
    this.fast = fast;
    this.log = log;
  }

  private <T> T attempt(String verb, Supplier<T> call, Function<HostCopies, T> onCopies) {
    try {
      return call.get();
    } catch (OutOfMemoryError e) {
      throw new MemoryException(
          "the backend '%s' has not enough memory for its verb '%s' (%s): use a smaller batch, or"
                  .formatted(fast.name(), verb, e.getMessage())
              + " leave the largest layer out",
          e);
    } catch (UnsupportedOperationException e) {
      if (said.add(verb)) {
        log.accept(
            "backend '%s' has no verb '%s' for this (%s): 'java' does it, which is slow"
                .formatted(fast.name(), verb, e.getMessage()));
      }
      try (HostCopies copies = new HostCopies(java)) {
        T result = onCopies.apply(copies);
        copies.writeBack();
        return result;
      }
    }
  }

  private void run(String verb, Runnable call, Consumer<HostCopies> onCopies) {
    attempt(
        verb,
        () -> {
          call.run();
          return null;
        },
        copies -> {
          onCopies.accept(copies);
          return null;
        });
  }

  @Override
  public String name() {
    return fast.name();
  }

  @Override
  public <T> T inTurn(Supplier<T> calls) {
    return fast.inTurn(calls);
  }

  @Override
  public Storage storage() {
    return fast.storage();
  }

  @Override
  public MatrixStack allocate(int count, int rows, int cols) {
    return fast.allocate(count, rows, cols);
  }

  @Override
  public MatrixStack allocateBasis(int count, int rows, int cols) {
    return fast.allocateBasis(count, rows, cols);
  }

  @Override
  public long[] firstNonFinite(List<? extends Tensor> tensors) {
    return attempt(
        "firstNonFinite",
        () -> fast.firstNonFinite(tensors),
        copies -> java.firstNonFinite(host(tensors)));
  }

  @Override
  public double[] largest(List<? extends Tensor> tensors) {
    return attempt("largest", () -> fast.largest(tensors), copies -> java.largest(host(tensors)));
  }

  @Override
  public void patches(PatchSamples samples, MatrixStack target) {
    run(
        "patches",
        () -> fast.patches(samples, target),
        copies -> java.patches(samples, copies.out(target)));
  }

  @Override
  public void accumulate(List<AccumulateRequest> moments) {
    run(
        "accumulate",
        () -> fast.accumulate(moments),
        copies ->
            java.accumulate(
                moments.stream()
                    .map(
                        m ->
                            new AccumulateRequest(
                                copies.out(m.target()), m.decay(), m.weight(), host(m.samples())))
                    .toList()));
  }

  /**
   * Joint samples in a call of their own: what a backend cannot do should not take others along.
   */
  @Override
  public void accumulateInBasis(List<BasisAccumulateRequest> moments) {
    Map<Boolean, List<BasisAccumulateRequest>> parts =
        moments.stream().collect(Collectors.partitioningBy(m -> m.a() instanceof JointSamples));
    parts.values().stream().filter(part -> !part.isEmpty()).forEach(this::accumulateLike);
  }

  private void accumulateLike(List<BasisAccumulateRequest> moments) {
    run(
        "accumulateInBasis",
        () -> fast.accumulateInBasis(moments),
        copies ->
            java.accumulateInBasis(
                moments.stream()
                    .map(
                        m ->
                            new BasisAccumulateRequest(
                                copies.out(m.target()),
                                m.decay(),
                                m.weight(),
                                host(m.g()),
                                host(m.a()),
                                copies.in(m.gBasis()),
                                copies.in(m.aBasis())))
                    .toList()));
  }

  @Override
  public List<double[]> traces(List<MatrixStack> stacks) {
    return attempt(
        "traces",
        () -> fast.traces(stacks),
        copies -> java.traces(stacks.stream().map(copies::in).toList()));
  }

  @Override
  public List<Status[]> invert(List<InvertRequest> inversions) {
    return attempt(
        "invert",
        () -> fast.invert(inversions),
        copies -> {
          List<InvertRequest> onHost =
              inversions.stream()
                  .map(
                      i ->
                          new InvertRequest(
                              copies.in(i.source()),
                              i.scale(),
                              i.damping(),
                              copies.out(i.inverse())))
                  .toList();
          List<Status[]> statuses = java.invert(onHost);
          for (int i = 0; i < statuses.size(); i++) {
            copies.refuseWhatHasNoRoom(statuses.get(i), inversions.get(i).inverse());
          }
          return statuses;
        });
  }

  @Override
  public List<Status[]> decompose(List<DecomposeRequest> decompositions) {
    return attempt(
        "decompose",
        () -> fast.decompose(decompositions),
        copies -> {
          List<DecomposeRequest> onHost =
              decompositions.stream()
                  .map(
                      d ->
                          new DecomposeRequest(
                              copies.in(d.source()),
                              d.scale(),
                              copies.out(d.vectors()),
                              copies.out(d.values())))
                  .toList();
          List<Status[]> statuses = java.decompose(onHost);
          for (int i = 0; i < statuses.size(); i++) {
            DecomposeRequest request = decompositions.get(i);
            copies.refuseWhatHasNoRoom(statuses.get(i), request.values(), request.vectors());
          }
          return statuses;
        });
  }

  /** On the host it would be slower than the decompositions of whoever lacks it. */
  @Override
  public List<Renewal[]> renew(List<RenewRequest> renewals) {
    return fast.renew(renewals);
  }

  @Override
  public double[] precondition(List<PreconditionRequest> steps) {
    return attempt(
        "precondition",
        () -> fast.precondition(steps),
        copies ->
            java.precondition(
                steps.stream()
                    .map(
                        s ->
                            new PreconditionRequest(
                                copies.in(s.gInverse()),
                                copies.in(s.aInverse()),
                                s.scale(),
                                s.gradient(),
                                s.result()))
                    .toList()));
  }

  @Override
  public double[] preconditionInBasis(List<BasisPreconditionRequest> steps) {
    return attempt(
        "preconditionInBasis",
        () -> fast.preconditionInBasis(steps),
        copies ->
            java.preconditionInBasis(
                steps.stream()
                    .map(
                        s ->
                            new BasisPreconditionRequest(
                                copies.in(s.gBasis()),
                                copies.in(s.aBasis()),
                                copies.in(s.moments()),
                                s.scale(),
                                s.damping(),
                                s.gradient(),
                                s.result()))
                    .toList()));
  }

  @Override
  public void scale(List<? extends Tensor> tensors, double factor) {
    run("scale", () -> fast.scale(tensors, factor), c -> java.scale(host(tensors), factor));
  }

  private static Samples host(Samples samples) {
    host(samples.parts().stream().map(Samples::data).toList());
    return samples;
  }

  private static List<? extends Tensor> host(List<? extends Tensor> tensors) {
    for (Tensor tensor : tensors) {
      if (!(tensor instanceof HostTensor)) {
        throw new UnsupportedOperationException(
            "a tensor in a device's memory, for a verb that its backend does not have");
      }
    }
    return tensors;
  }

  /** Leaves the wrapped backend to its owner. */
  @Override
  public void close() {
    java.close();
  }
}
