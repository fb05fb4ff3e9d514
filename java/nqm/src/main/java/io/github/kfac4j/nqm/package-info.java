/**
 * The noisy quadratic model: how SGD, momentum, preconditioning and iterate averaging scale with
 * the batch size, predicted in seconds.
 *
 * <p>Source: Zhang, Li, Nado, Martens, Sachdeva, Dahl, Shallue, Grosse, <i>Which Algorithmic
 * Choices Matter at Which Batch Sizes? Insights From a Noisy Quadratic Model</i>, NeurIPS 2019
 * (arXiv:1907.04164), and the authors' published notebook for the protocol of its figures.
 *
 * <pre>{@code
 * Spectrum spectrum = Spectrum.read(Path.of("eigenvalues.txt"));
 * double critical = CriticalBatchSize.predict(spectrum, Method.MOMENTUM, 0.5, 0.01);
 * System.out.println("larger batches pay up to about " + critical);
 * }</pre>
 *
 * <p><b>Model.</b> L = 1/2 sum h_i theta_i^2; the gradient of a batch of B examples has variance
 * c_i / B; the coordinates are independent and A_i(0) = E theta_i(0)^2 is given. With x = alpha
 * h^(1-p) and n = alpha^2 h^(-2p) c / B, where p is the power of the preconditioner H^-p, every
 * method answers with
 *
 * <pre>
 *   A_t = (g_{t+1} - r1 r2 g_t)^2 A_0 + n s S_t,   g_k = (r1^k - r2^k) / (r1 - r2),
 *   S_t = sum over k = 1..t of g_k^2
 *
 *   SGD        r1 = 1 - x,                                r2 = 0,      s = 1
 *   momentum   r1 r2 = beta,  r1 + r2 = 1 - x + beta,                  s = 1
 *   average    r1 = 1 - x,                                r2 = gamma,  s = (1 - gamma)^2
 * </pre>
 *
 * <p><b>Printed formulas that do not hold</b> (numbers of the arXiv version; the test of this list
 * shows for each that the simulation disagrees with it):
 *
 * <ul>
 *   <li>(4) holds for alpha h &lt; 2 only: at 2 the risk grows without bound.
 *   <li>(9) leaves out that the noise builds up over time. It is an upper bound, {@link
 *       io.github.kfac4j.nqm.NoisyQuadratic#upperBound}; the exact risk has S_t for its limit.
 *   <li>(10) holds for i &gt; 1 only: the first coordinate is critically damped there, where the
 *       quotients of (9) are 0/0.
 *   <li>(18): for "(alpha beta)^2 E[m]" read (alpha beta)^2 V[m].
 *   <li>(23), (39): the sums end at t, not at t + 1.
 *   <li>(32), (48): the recursion starts from x_{-1} = x_0, since m_0 = 0 and the average starts at
 *       theta_0.
 *   <li>(37): for "(1 - alpha gamma) Cov" read gamma (1 - alpha h) Cov.
 *   <li>(38): for the entry "2 gamma (1 - gamma) (1 - alpha h)" read 2 gamma (1 - alpha h).
 *   <li>(43) and the text around it: for the constant "gamma" read (1 - alpha h) gamma.
 *   <li>Critical damping is at beta = (1 - sqrt(alpha h))^2, not at "(1 - alpha h)^2".
 *   <li>Appendix F.3 lost the initial rate: alpha(t) = alpha_0 (1 - (1 - gamma) min(t, T) / T).
 *   <li>"The first term in equation (8)" means equation (9); there is nothing to simulate.
 * </ul>
 */
package io.github.kfac4j.nqm;
