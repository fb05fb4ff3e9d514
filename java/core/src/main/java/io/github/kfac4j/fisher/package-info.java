/**
 * The Fisher information matrix by its estimators. With g a gradient of the negative log likelihood
 * with respect to the weights, the Fisher is the mean of {@code g g'} over the network's own
 * predictions: {@code F = J' F_R J}, where J is the Jacobian of the outputs and {@link
 * io.github.kfac4j.fisher.OutputLoss} knows F_R, the Fisher of the outputs. A backward pass that
 * starts from {@code r} at the outputs gives {@code J' r}, so an estimate of F is one of F_R as a
 * sum of {@code r r'}:
 *
 * <table>
 * <caption>Estimators</caption>
 * <tr><th></th><th>r</th><th>extra passes</th></tr>
 * <tr><td>empirical</td><td>gradient for the data's label; biased</td><td>0</td></tr>
 * <tr><td>Monte Carlo</td><td>gradient for a label drawn from the prediction</td><td>1</td></tr>
 * <tr><td>exact</td><td>column k of B, {@code B B' = F_R}</td><td>outputs of an example</td></tr>
 * <tr><td>curvature propagation</td><td>B times random signs</td><td>1</td></tr>
 * </table>
 */
package io.github.kfac4j.fisher;
