/** The figures of the noisy quadratic model: their data, their drawing, and the page of all. */
package io.github.kfac4j.experiments.figures;
