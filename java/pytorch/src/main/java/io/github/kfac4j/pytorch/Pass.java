package io.github.kfac4j.pytorch;

import io.github.kfac4j.data.Observation;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.tensor.Shape;
import io.github.kfac4j.trainer.TrainingPass;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** A forward pass in training and what the layers saw in it. */
final class Pass implements TrainingPass {
  private final Placement placement;
  private final KfacOptions options;
  private final int examples;
  private final boolean said;
  private final boolean observes;
  private final List<Capture> captures = new ArrayList<>();
  private final Set<Tap> used = new HashSet<>();
  private final List<View> views = new ArrayList<>();

  /** Hears the backward pass where no layer is captured; null if one is. */
  private Capture end;

  /** The first layer that was captured; null if none was. */
  private Tap first;

  private boolean ended;
  private boolean sampled;

  /**
   * Begins a pass.
   *
   * @param placement where K-FAC takes tensors
   * @param options of K-FAC
   * @param examples N
   * @param said whether the program has said so; else it was read off the first input
   * @param observes whether what layers see is captured
   */
  Pass(Placement placement, KfacOptions options, int examples, boolean said, boolean observes) {
    this.placement = placement;
    this.options = options;
    this.examples = examples;
    this.said = said;
    this.observes = observes;
  }

  @Override
  public int examples() {
    return examples;
  }

  /**
   * Records a use of a layer that K-FAC has.
   *
   * @param active whether K-FAC takes it now, or it is frozen or left out
   * @param boundary whether the pass must know that its backward pass has come
   */
  void use(Tap tap, Site site, Tensor input, Tensor output, boolean active, boolean boundary) {
    captures.removeIf(
        old -> {
          boolean dead = old.dead();
          if (dead) {
            old.close();
          }
          return dead;
        });
    if (active) {
      used.add(tap);
    }
    if (observes && active) {
      first = first == null ? tap : first;
      captures.add(new Capture(tap, site, input, output));
    } else if (boundary && captures.isEmpty() && (end == null || end.dead())) {
      closeEnd();
      end = new Capture(tap, site, null, output);
    }
  }

  /** How often each of several layers ran at least, as far as a backward pass has reached them. */
  int repeats() {
    Map<Tap, Long> times =
        captures.stream()
            .filter(Capture::hasGradient)
            .collect(Collectors.groupingBy(Capture::tap, Collectors.counting()));
    return times.size() < 2 || said ? 1 : Collections.min(times.values()).intValue();
  }

  /** Whether a layer was used. */
  boolean used(Tap tap) {
    return used.contains(tap);
  }

  /** Whether what runs forward now is another pass. */
  boolean over() {
    return ended || hasGradients();
  }

  /**
   * Whether a layer begins another pass though no backward pass has come: it is the first that was
   * captured, and none of all graphs since is left for a backward pass to reach.
   */
  boolean lost(Tap tap) {
    return first != null && tap == first && captures.stream().allMatch(Capture::dead);
  }

  /** Says that the forward pass has ended. */
  void end() {
    ended = true;
  }

  /** Says that the Fisher has had its backward passes, which end the forward pass. */
  void endSampled() {
    sampled = true;
    ended = true;
  }

  boolean sampled() {
    return sampled;
  }

  List<Capture> captures() {
    return captures;
  }

  @Override
  public boolean captured() {
    return observes;
  }

  @Override
  public List<Observation> inputs() {
    closeViews();
    return captures.stream()
        .map(
            one ->
                Observation.ofInput(
                    one.tap().name(),
                    input(one),
                    Shape.of(one.site().shape(Sizes.of(one.zeros()))),
                    examples))
        .toList();
  }

  @Override
  @SuppressWarnings("try") // the scope frees what is made inside it
  public List<Observation> observations(double outputGradScale) {
    closeViews();
    requireExamples();
    try (PointerScope scope = new PointerScope()) {
      return captures.stream()
          .filter(Capture::hasGradient)
          .map(one -> observation(one, outputGradScale))
          .toList();
    }
  }

  private Observation observation(Capture one, double scale) {
    Tensor outputGrad = one.site().reaching(one.seen(), one.outputGrad());
    int[] shape = one.site().shape(Sizes.of(outputGrad));
    View view = placement.outputGrad(one.tap(), outputGrad, shape, examples, options);
    views.add(view);
    return new Observation(one.tap().name(), input(one), view.tensor(), scale, examples);
  }

  private io.github.kfac4j.tensor.Tensor input(Capture one) {
    return one.input(
            seen ->
                placement.input(
                    one.tap(), seen, one.site().shape(Sizes.of(seen)), examples, options))
        .tensor();
  }

  /** A forward pass that was not followed by a backward pass must not have set N. */
  private void requireExamples() {
    List<Capture> reached = captures.stream().filter(Capture::hasGradient).toList();
    if (!said && !reached.isEmpty() && reached.size() < captures.size()) {
      int first = reached.get(0).site().shape(Sizes.of(reached.get(0).seen()))[0];
      if (first != examples) {
        throw new IllegalStateException(
            ("a forward pass of %d examples had no backward pass before the one of %d: evaluate"
                    + " with net.eval() or inside a NoGradGuard, or begin each pass with"
                    + " beginPass(examples)")
                .formatted(examples, first));
      }
    }
  }

  /**
   * The number of rows of another use of the layer that N was read off; 0 if all have as many, or
   * the program has said N.
   */
  int otherExamples() {
    if (said || captures.isEmpty()) {
      return 0;
    }
    Tap first = captures.get(0).tap();
    return captures.stream()
        .filter(one -> one.tap() == first && one.hasGradient())
        .mapToInt(one -> one.site().shape(Sizes.of(one.zeros()))[0])
        .filter(rows -> rows != examples)
        .findFirst()
        .orElse(0);
  }

  @Override
  public boolean expectsGradients() {
    return !captures.isEmpty();
  }

  @Override
  public boolean hasGradients() {
    return captures.stream().anyMatch(Capture::hasGradient) || end != null && end.hasGradient();
  }

  private void closeEnd() {
    if (end != null) {
      end.close();
      end = null;
    }
  }

  private void closeViews() {
    views.forEach(View::close);
    views.clear();
  }

  @Override
  public void close() {
    closeViews();
    captures.forEach(Capture::close);
    captures.clear();
    closeEnd();
  }
}
