/** How ranks share the work of K-FAC: statistics, layers, gradients. */
package io.github.kfac4j.distributed.ranks;
