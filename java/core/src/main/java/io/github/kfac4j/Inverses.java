package io.github.kfac4j;

import io.github.kfac4j.approximation.Blocks;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.curvature.Curvature;
import io.github.kfac4j.curvature.Fp32Range;
import io.github.kfac4j.curvature.LayerState;
import io.github.kfac4j.curvature.Staleness;
import io.github.kfac4j.data.InversionFailedException;
import io.github.kfac4j.data.LayerReport;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The other half of K-FAC: what is made of the averages, and gradients that it is applied to. */
final class Inverses {
  private final Backend backend;
  private final Blocks blocks;
  private final KfacState state;

  Inverses(Backend backend, Blocks blocks, KfacState state) {
    this.backend = backend;
    this.blocks = blocks;
    this.state = state;
  }

  /** Renews the inverses of layers that are due; those not observed yet are passed over. */
  List<LayerReport> refresh(List<LayerState> due, KfacOptions options) {
    List<LayerState> states = due.stream().filter(layer -> layer.counters.observed).toList();
    states.forEach(state.open()::keepResults);
    List<LayerReport> reports = new ArrayList<>(blocks.refresh(states, options));
    options
        .intervals()
        .similarity()
        .ifPresent(
            bound -> states.forEach(layer -> Staleness.refreshed(layer, state.step(), bound)));
    for (int i = 0; i < due.size(); i++) {
      if (!due.get(i).counters.observed) {
        reports.add(i, LayerReport.notObserved(due.get(i).name, due.get(i).layer));
      }
    }
    state.open().refreshed = List.copyOf(reports);
    return state.open().refreshed;
  }

  /**
   * The outcome of preconditioning.
   *
   * @param innerProduct {@code <U, dW>} before clipping
   * @param clip what U was multiplied by
   */
  record Clipped(double innerProduct, double clip) {}

  /** Makes gradients zeros, as the burn-in does, and stores them. */
  Clipped clear(List<Curvature.Request> requests) {
    requests.forEach(request -> backend.scale(request.tensors(), 0));
    requests.forEach(Curvature.Request::store);
    return new Clipped(0, 0);
  }

  /** Preconditions and clips gradients in place, and stores them. */
  Clipped precondition(List<Curvature.Request> requests, KfacOptions options) {
    for (Curvature.Request request : requests) {
      if (request.exponent() != 0) {
        Fp32Range.multiply(backend, request.tensors(), 1, -request.exponent());
      }
    }
    List<Curvature.Result> results = blocks.precondition(requests, options);
    results.forEach(Inverses::requireFinite);
    double innerProduct = results.stream().mapToDouble(Curvature.Result::inner).sum();
    double clip = options.clipOf(innerProduct);
    finish(results, clip);
    requests.forEach(Curvature.Request::store);
    requireStored(results);
    return new Clipped(innerProduct, clip);
  }

  /** An inner product is finite only if what was preconditioned is: 0 times infinity is NaN. */
  private static void requireFinite(Curvature.Result result) {
    if (!Double.isFinite(result.inner())) {
      throw beyondRange(result);
    }
  }

  /** Checks U again after its inner product was taken. */
  private void requireStored(List<Curvature.Result> results) {
    for (Curvature.Result result : results) {
      if (result.mayOverflow()
          && Arrays.stream(backend.firstNonFinite(result.request().stored()))
              .anyMatch(at -> at >= 0)) {
        throw beyondRange(result);
      }
    }
  }

  private static InversionFailedException beyondRange(Curvature.Result result) {
    return new InversionFailedException(
        LayerState.prefix(result.request().state().name)
            + "the preconditioned gradient is beyond the range of its tensors; raise the damping");
  }

  /** Clips, and brings U to its size where it was computed divided by a power of two. */
  private void finish(List<Curvature.Result> results, double clip) {
    List<Tensor> plain = new ArrayList<>();
    for (Curvature.Result result : results) {
      List<Tensor> tensors = result.request().tensors();
      for (int i = 0; i < tensors.size(); i++) {
        int exponent = i == 0 ? result.weight() : result.bias();
        if (exponent == 0) {
          plain.add(tensors.get(i));
        } else {
          Fp32Range.multiply(backend, tensors.subList(i, i + 1), clip, exponent);
        }
      }
    }
    if (clip < 1) {
      Fp32Range.multiply(backend, plain, clip, 0);
    }
  }
}
