'use strict';

module.exports = { ...require('./errors'), ...require('./worker') };
