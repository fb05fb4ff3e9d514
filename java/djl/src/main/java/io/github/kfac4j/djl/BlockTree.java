package io.github.kfac4j.djl;

import ai.djl.nn.Block;
import ai.djl.util.Pair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Predicate;

/**
 * The blocks of a model, with taps in place of the layers that K-FAC knows. A layer is named after
 * its parameters: {@code 01Conv2d} has {@code 01Conv2d_weight}.
 */
final class BlockTree {
  /** Blocks in whose place there are taps of some model. */
  private static final Set<Tapped> LISTENING =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  private final Block root;
  private final List<Tap> taps = new ArrayList<>();
  private final Map<String, Block> others = new LinkedHashMap<>();
  private final Map<Tapped, Tap> tapped = new IdentityHashMap<>();
  private final Map<Block, Block> replacements = new IdentityHashMap<>();
  private final List<Block> containers = new ArrayList<>();

  /** Walks through the blocks; changes nothing. */
  BlockTree(Block root) {
    this.root = root;
    visit("", root, null);
  }

  private void visit(String name, Block block, Block parent) {
    if (replacements.containsKey(block) || tapped.containsKey(block)) {
      return;
    }
    String layer = name.isEmpty() ? block.getClass().getSimpleName() : name;
    if (block instanceof Tapped reachable) {
      requireAlone(layer, reachable);
      addTap(layer, reachable);
      return;
    }
    if (Layers.isSupported(block)) {
      Tapped replacement = Layers.tapped(block);
      if (parent == null || new BlockFields(parent).canHold(replacement.getClass(), block)) {
        addTap(layer, replacement);
        replacements.put(block, replacement);
        return;
      }
    }
    if (!block.getDirectParameters().isEmpty()) {
      others.put(layer, block);
    }
    if (!block.getChildren().isEmpty() && !containers.contains(block)) {
      containers.add(block);
      for (Pair<String, Block> child : block.getChildren()) {
        String path = name.isEmpty() ? child.getKey() : name + "_" + child.getKey();
        visit(path, child.getValue(), block);
      }
    }
  }

  /** Refuses a layer that another K-FAC listens to. */
  private static void requireAlone(String layer, Tapped block) {
    if (LISTENING.contains(block)) {
      throw new IllegalArgumentException(
          ("layer '%s' has a K-FAC already, which is attached to another model with the same block:"
                  + " close that one")
              .formatted(layer));
    }
  }

  private void addTap(String name, Tapped block) {
    Tap tap = new Tap(name, block.original());
    taps.add(tap);
    tapped.put(block, tap);
  }

  /** Layers that K-FAC knows. */
  List<Tap> taps() {
    return taps;
  }

  /** Other trainable blocks, and layers that K-FAC does not have, as name and type. */
  List<String> others(Predicate<Tap> has) {
    Map<String, Block> left = new LinkedHashMap<>(others);
    taps.stream().filter(tap -> !has.test(tap)).forEach(tap -> left.put(tap.name(), tap.block()));
    return left.entrySet().stream()
        .filter(
            entry ->
                entry.getValue().getDirectParameters().values().stream()
                    .anyMatch(parameter -> parameter.requiresGradient()))
        .map(entry -> entry.getKey() + " (" + entry.getValue().getClass().getSimpleName() + ")")
        .toList();
  }

  /** Why blocks that K-FAC might be expected to have are left out, by name. */
  Map<String, String> reasons() {
    Map<String, String> reasons = new LinkedHashMap<>();
    others.forEach(
        (name, block) ->
            Layers.reasonAgainst(block).ifPresent(reason -> reasons.put(name, reason)));
    return reasons;
  }

  /**
   * Puts the taps in. Returns what takes the root's place: itself unless it is a layer.
   *
   * @throws IllegalStateException if a block cannot be changed; then none is
   */
  Block insertTaps() {
    try {
      replace(replacements);
    } catch (IllegalStateException e) {
      try {
        removeTaps();
      } catch (IllegalStateException sameBlock) {
        e.addSuppressed(sameBlock);
      }
      throw e;
    }
    tapped.forEach(Tapped::listen);
    LISTENING.addAll(tapped.keySet());
    return replacements.getOrDefault(root, root);
  }

  /** Puts the original layers back. */
  void removeTaps() {
    Map<Block, Block> back = new IdentityHashMap<>();
    replacements.forEach((original, replacement) -> back.put(replacement, original));
    replace(back);
    tapped.keySet().forEach(block -> block.listen(null));
    LISTENING.removeAll(tapped.keySet());
  }

  private void replace(Map<Block, Block> by) {
    for (Block container : containers) {
      new BlockFields(container).replace(by);
    }
  }
}
