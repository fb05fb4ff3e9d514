/** What only the CUDA backend needs: inputs on the device, and kernels timed alone. */
package io.github.kfac4j.benchmarks.cuda;
