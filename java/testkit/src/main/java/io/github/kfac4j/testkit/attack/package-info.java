/**
 * Attacks on K-FAC that anyone can repeat: requests and files of any kind, from a seed or a fuzzer.
 */
package io.github.kfac4j.testkit.attack;
