// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSModel

/// The facts that kernels are judged by.
package struct ConditionFacts: Codable, Hashable, Sendable {
  package var conditions: [KernelCondition]
  package var configuration: SuiteConfiguration

  package var verdicts: [KernelVerdict] { conditions.map { KernelVerdict($0, by: configuration) } }
}
