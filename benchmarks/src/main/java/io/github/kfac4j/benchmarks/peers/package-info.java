/** Other libraries as contenders, each used as its documentation recommends. */
package io.github.kfac4j.benchmarks.peers;
