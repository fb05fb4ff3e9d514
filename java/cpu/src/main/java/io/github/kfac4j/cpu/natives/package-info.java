/** libkfac_cpu: its C interface, its plans and its packed panels. */
package io.github.kfac4j.cpu.natives;
