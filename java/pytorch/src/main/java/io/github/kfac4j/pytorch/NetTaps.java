package io.github.kfac4j.pytorch;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Module;
import org.bytedeco.pytorch.StringSharedModuleDict;
import org.bytedeco.pytorch.Tensor;

/** The modules of a network: those that are layers of K-FAC, and what the others are. */
final class NetTaps implements AutoCloseable {
  /** Modules of libtorch that run their children by themselves, out of K-FAC's sight. */
  private static final Pattern CLOSED = Pattern.compile("MultiheadAttention|Transformer\\w*");

  private final List<String> closed = new ArrayList<>();
  private final Map<Long, Tap> byWeight = new LinkedHashMap<>();
  private final Set<Long> unmapped = new HashSet<>();

  /** Other modules with parameters of their own, by name. */
  private final Map<String, String> others = new LinkedHashMap<>();

  /**
   * Looks for layers.
   *
   * @throws IllegalArgumentException if there is none
   */
  @SuppressWarnings("try") // the scope frees what is made inside it
  NetTaps(Module net) {
    try (PointerScope scope = new PointerScope()) {
      StringSharedModuleDict modules = net.named_modules();
      for (long i = 0; i < modules.size(); i++) {
        long index = i;
        BytePointer key = modules.get(i).key(); // null for the network itself
        add(key == null ? "net" : key.getString(), Kept.keep(() -> modules.get(index).value()));
      }
    }
    if (byWeight.isEmpty()) {
      throw new IllegalArgumentException(
          "the network has no layer for K-FAC: %s; it has %s"
              .formatted(Sites.KNOWN, others.values()));
    }
  }

  private void add(String name, Module module) {
    Site site = Sites.of(module);
    String reason = "";
    if (site != null && site.weight().defined()) {
      try {
        requireOpen(name);
        site.describe(false);
        if (join(name, site, module)) {
          return;
        }
        reason = ": it shares its weight with another layer";
      } catch (IllegalArgumentException e) {
        reason = ": " + e.getMessage();
      }
      unmapped.add(key(site.weight()));
    }
    String type = module.name().getString().replaceAll(".*::|Impl$", "");
    if (CLOSED.matcher(type).matches()) {
      closed.add(name + ".");
    }
    if (!module.named_parameters(false).is_empty()) {
      others.put(name, "%s (%s%s)".formatted(name, type, reason));
    }
    module.close();
  }

  private void requireOpen(String name) {
    for (String parent : closed) {
      if (name.startsWith(parent)) {
        throw new IllegalArgumentException("its parent runs it itself");
      }
    }
  }

  /** Makes the site a layer, or a further use of one whose weight it shares. */
  private boolean join(String name, Site site, Module module) {
    long key = key(site.weight());
    Tap same = byWeight.get(key);
    if (same == null) {
      byWeight.put(key, new Tap(name, site, module));
      return true;
    }
    boolean tied = same.site() instanceof EmbeddingSite && isMatrix(site);
    if (!tied && isMatrix(same.site()) && site instanceof EmbeddingSite) {
      byWeight.put(key, new Tap(name, site, module)).close();
      return true;
    }
    if (tied || same.site().describe(false).equals(site.describe(false)) && !hasBias(site)) {
      module.close();
      return true;
    }
    byWeight.remove(key).close();
    others.put(same.name(), same.name() + " (shares its weight with " + name + ")");
    return false;
  }

  private static boolean hasBias(Site site) {
    return site.bias().defined();
  }

  /** Whether it can be the matrix that is tied to a table. */
  private static boolean isMatrix(Site site) {
    return site instanceof LinearSite && !hasBias(site);
  }

  private static long key(Tensor weight) {
    return weight.unsafeGetTensorImpl().address();
  }

  List<Tap> taps() {
    return List.copyOf(byWeight.values());
  }

  /**
   * The layer that a module is a use of; null if it is left to the optimizer.
   *
   * @throws IllegalArgumentException if the module is not of the network
   */
  Tap of(Site site) {
    if (!site.weight().defined()) {
      return null;
    }
    long key = key(site.weight());
    Tap tap = byWeight.get(key);
    if (tap == null && !unmapped.contains(key)) {
      throw new IllegalArgumentException(
          "the module is not part of the network that K-FAC is attached to: register it with"
              + " register_module() before attaching, and pass the one that is registered; or its"
              + " weight is another tensor since: attach again");
    }
    return tap;
  }

  /** What the optimizer alone trains, by name, kind and, where there is one, the reason. */
  List<String> others(Predicate<Tap> has) {
    List<String> all = new ArrayList<>(others.values());
    taps().stream().filter(tap -> !has.test(tap)).map(Tap::name).forEach(all::add);
    return all;
  }

  @Override
  public void close() {
    byWeight.values().forEach(Tap::close);
  }
}
