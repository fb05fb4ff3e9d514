/** The routines of OpenBLAS in use. */
package io.github.kfac4j.cpu.openblas;
