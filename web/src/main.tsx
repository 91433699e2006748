/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

import './style/main.css'
import { render } from 'preact'
import { App } from './shell/app.tsx'

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
