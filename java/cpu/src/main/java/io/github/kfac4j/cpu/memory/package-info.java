/** Memory outside the heap, taken piece by piece and kept between calls. */
package io.github.kfac4j.cpu.memory;
