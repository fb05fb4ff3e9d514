package io.github.kfac4j.benchmarks.cases;

import java.util.List;
import java.util.Map;

/** A gradient [out, in] between inverses [out, out] and [in, in]. */
public record PreconditionCase(
    String verb,
    String name,
    String set,
    String backend,
    Map<String, Double> targets,
    List<String> without,
    int out,
    int in)
    implements Case {}
