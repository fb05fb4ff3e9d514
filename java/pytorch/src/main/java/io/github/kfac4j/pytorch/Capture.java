package io.github.kfac4j.pytorch;

import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * What a layer saw in one use. Zeros are added to its output: a leaf of the graph, whose gradient
 * is that of the loss with respect to the output, whatever is done to the output in place after.
 * They are a scalar spread out and take no memory.
 */
final class Capture implements AutoCloseable {
  private final Tap tap;
  private final Site site;
  private final Tensor seen;
  private final long version;
  private final Tensor zeros;
  private Tensor sampled;
  private View input;

  /**
   * Listens to a use.
   *
   * @param input of the module; null to learn only whether a backward pass comes
   * @param output of the module, to which the zeros are added in place
   */
  @SuppressWarnings("try") // the scope frees what is made inside it
  Capture(Tap tap, Site site, Tensor input, Tensor output) {
    this.tap = tap;
    this.site = site;
    this.seen = input == null ? null : Kept.keep(() -> site.seen(input));
    this.version = seen == null ? 0 : seen._version();
    this.zeros = Kept.keep(() -> output.detach().new_zeros(1).expand(Sizes.of(output)));
    try (PointerScope scope = new PointerScope()) {
      zeros.set_requires_grad(true);
      output.add_(zeros);
    }
  }

  Tap tap() {
    return tap;
  }

  Site site() {
    return site;
  }

  Tensor zeros() {
    return zeros;
  }

  /**
   * What the weight was multiplied by.
   *
   * @throws IllegalStateException if it is not what it was
   */
  Tensor seen() {
    if (seen._version() != version) {
      throw new IllegalStateException(
          "layer '%s': its input was changed in place after the forward pass"
              .formatted(tap.name()));
    }
    return seen;
  }

  /**
   * What K-FAC reads of what the weight was multiplied by, which is copied once if at all.
   *
   * @param view makes it
   */
  View input(Function<Tensor, View> view) {
    Tensor now = seen();
    if (input == null) {
      input = view.apply(now);
    }
    return input;
  }

  /** The gradient at the output; undefined if no backward pass has reached it. */
  Tensor outputGrad() {
    return sampled != null ? sampled : zeros.grad();
  }

  boolean hasGradient() {
    return outputGrad().defined();
  }

  /** Whether nothing can reach it any more, because its graph is gone. */
  boolean dead() {
    return !hasGradient() && zeros.use_count() == 1;
  }

  /** Takes the gradient of a backward pass that did not start from the loss. */
  void sample(Tensor outputGrad) {
    forget();
    sampled = outputGrad;
  }

  /** Lets backward passes through without keeping their gradients. */
  void stop() {
    zeros.set_requires_grad(false);
    forget();
  }

  private void forget() {
    if (sampled != null) {
      sampled.close();
      sampled = null;
    }
  }

  @Override
  public void close() {
    forget();
    zeros.close();
    if (input != null) {
      input.close();
    }
    if (seen != null) {
      seen.close();
    }
  }
}
