package io.github.kfac4j.benchmarks.run;

import java.util.List;

/**
 * One case, measured.
 *
 * @param verb of the case
 * @param name of the case
 * @param device {@code cpu} or {@code cuda}
 * @param flops operations by the textbook's way; 0 if they say nothing
 * @param commit of the library at the time
 * @param created ISO 8601
 * @param pairs ours beside each peer
 */
public record Measurement(
    String verb,
    String name,
    String device,
    double flops,
    String commit,
    String created,
    List<Pairs> pairs) {}
