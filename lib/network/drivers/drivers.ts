// The drivers that there are: a new one is a line here and in driver-options.ts.
import type { DriverName } from '../driver-options.js'
import { bridgeDriver } from './bridge.js'
import type { Driver } from './driver.js'
import { ipvlanDriver } from './ipvlan.js'
import { macvlanDriver } from './macvlan.js'
import { hostDriver, nullDriver } from './plain.js'

export const driverOf: Readonly<Record<DriverName, Driver>> = {
  bridge: bridgeDriver,
  macvlan: macvlanDriver,
  ipvlan: ipvlanDriver,
  host: hostDriver,
  null: nullDriver,
}
