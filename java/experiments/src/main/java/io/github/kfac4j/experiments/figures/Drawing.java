package io.github.kfac4j.experiments.figures;

import io.github.kfac4j.experiments.plot.Panel;
import java.util.List;

/**
 * A figure ready to be written.
 *
 * @param says one sentence with the message of the figure and its numbers
 * @param table the data
 * @param panels side by side, in rows of two
 */
record Drawing(String says, CsvTable table, List<Panel> panels) {}
